export { openTelemetryMetrics, type OpenTelemetryMetrics, type OpenTelemetryMetricsOptions } from './metrics.ts';
export { openTelemetry, type OpenTelemetryOptions } from './tracing.ts';
