// Grafana's own types, narrowed to the panels that gleis makes, for dashboards written as JSON.
import type { Dashboard, DataQuery, FieldConfig, FieldConfigSource, GridPos, Panel } from '@grafana/schema';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as gauge from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// JSON has no enums: their values are what stands in it.
type Plain<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends ReadonlyArray<infer Each>
      ? Array<Plain<Each>>
      : T extends object
        ? { [Key in keyof T]: Plain<T[Key]> }
        : T;

// What Grafana's Prometheus source reads; the package has no type of it.
interface PrometheusQuery extends DataQuery {
  expr: string;
  legendFormat: string;
  format?: 'time_series' | 'table' | 'heatmap';
  range: boolean;
  instant?: boolean;
}

type PanelOf<Kind extends string, Options, Custom> = Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
  type: Kind;
  id: number;
  title: string;
  gridPos: GridPos;
  targets: PrometheusQuery[];
  options: Options;
  fieldConfig: {
    defaults: Omit<FieldConfig, 'custom'> & { custom?: Custom };
    overrides: FieldConfigSource['overrides'];
  };
};

type AnyPanel =
  | PanelOf<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | PanelOf<'stat', stat.Options, never>
  | PanelOf<'gauge', gauge.Options, never>
  | PanelOf<'bargauge', bargauge.Options, never>
  | PanelOf<'heatmap', heatmap.Options, heatmap.FieldConfig>
  | PanelOf<'table', table.Options, table.FieldConfig>;

export type GleisDashboard = Plain<Omit<Dashboard, 'panels'> & { uid: string; title: string; panels: AnyPanel[] }>;
