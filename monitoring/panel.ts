import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { type Panel, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { Threshold } from '../src/operations/index.ts';
import { metric } from './metric.ts';

/** A line, or many, of a panel. */
export interface PanelQuery {
  /** `@name` stands for a metric of the chosen caches and nodes. */
  readonly expr: string;
  /** How lines are called: `{{tier}}` is the value of a label. */
  readonly legend: string;
}

/** What a panel shows. */
export interface PanelPlan {
  readonly title: string;
  /** For who does not know it. */
  readonly about: string;
  readonly queries: readonly PanelQuery[];
  /** One of Grafana's: `s`, `bytes`, `percentunit`, `short`, `reqps`. */
  readonly unit: string;
  /** `lines` by default; `number`: the latest value, coloured by its threshold; `table`: a row for each node. */
  readonly kind?: 'lines' | 'areas' | 'number' | 'table';
  /** Of 24. */
  readonly width?: number;
  /** In the unit of the panel: where it is not well any more. */
  readonly threshold?: Threshold;
  readonly better?: 'less' | 'more';
  readonly most?: number;
}

/** Panels that belong together. */
export interface RowPlan {
  readonly title: string;
  readonly panels: readonly PanelPlan[];
}

const CHOSEN = 'cache=~"$cache", instance=~"$node"';
/** What panels are given their data from: chosen by the reader. */
export const DATASOURCE = { type: 'prometheus', uid: `\${datasource}` };

/**
 * A query of the chosen caches and nodes.
 *
 * @throws Error for a name that is not in the list of metrics
 */
function chosen(query: string): string {
  return query
    .replace(/@([a-z_]+)(\{)?/g, (_, name: string, open?: string) =>
      open === undefined ? `${metric(name)}{${CHOSEN}}` : `${metric(name)}{${CHOSEN}, `,
    )
    .replace(/\s+/g, ' ')
    .trim();
}

export function panelOf(plan: PanelPlan): Builder<Panel> {
  switch (plan.kind ?? 'lines') {
    case 'number':
      return numberOf(plan);
    case 'table':
      return tableOf(plan);
    default:
      return linesOf(plan);
  }
}

function linesOf(plan: PanelPlan): Builder<Panel> {
  const { title, about, unit, width = 8, most, kind } = plan;
  const panel = new timeseries.PanelBuilder()
    .title(title)
    .description(about)
    .datasource(DATASOURCE)
    .targets(targetsOf(plan))
    .unit(unit)
    .min(0)
    .span(width)
    .height(8)
    .lineWidth(1)
    .fillOpacity(kind === 'areas' ? 30 : 5)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (kind === 'areas') panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  return most === undefined ? panel : panel.max(most);
}

function numberOf(plan: PanelPlan): Builder<Panel> {
  const { title, about, unit, width = 4 } = plan;
  return new stat.PanelBuilder()
    .title(title)
    .description(about)
    .datasource(DATASOURCE)
    .targets(targetsOf(plan))
    .unit(unit)
    .span(width)
    .height(4)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(stepsOf(plan)));
}

/** One row for each node, a column for each query. */
function tableOf(plan: PanelPlan): Builder<Panel> {
  const { title, about, width = 24, queries } = plan;
  const named: Record<string, string> = Object.fromEntries(
    queries.map(({ legend }, i) => [`Value #${letter(i)}`, legend]),
  );
  return new table.PanelBuilder()
    .title(title)
    .description(about)
    .datasource(DATASOURCE)
    .targets(
      queries.map(({ expr }, i) =>
        new DataqueryBuilder().refId(letter(i)).expr(chosen(expr)).instant().format(PromQueryFormat.Table),
      ),
    )
    .span(width)
    .height(8)
    .transformations([
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: { excludeByName: { Time: true, job: true }, renameByName: named },
      },
    ]);
}

function targetsOf({ queries }: PanelPlan): Builder<Dataquery>[] {
  return queries.map(({ expr, legend }, i) =>
    new DataqueryBuilder().refId(letter(i)).expr(chosen(expr)).legendFormat(legend).range(),
  );
}

/** What Grafana calls the queries of a panel. */
function letter(index: number): string {
  return String.fromCodePoint(65 + index);
}

type Step = { readonly value: number; readonly color: string };

/** Green, yellow and red, as health calls them healthy, degraded and critical. */
function stepsOf({ threshold, better = 'less' }: PanelPlan): Step[] {
  // Grafana's first step begins at minus infinity, which its JSON writes as null.
  const first = null as unknown as number;
  if (threshold === undefined) return [{ value: first, color: 'blue' }];
  const { degraded, critical } = threshold;
  if (better === 'more')
    return [
      { value: first, color: 'red' },
      { value: critical, color: 'yellow' },
      { value: degraded, color: 'green' },
    ];
  const usual = [
    { value: first, color: 'green' },
    { value: degraded, color: 'yellow' },
  ];
  return Number.isFinite(critical) ? [...usual, { value: critical, color: 'red' }] : usual;
}
