export { type Prometheus, prometheus, type PrometheusOptions, type Scrape } from './prometheus.ts';
