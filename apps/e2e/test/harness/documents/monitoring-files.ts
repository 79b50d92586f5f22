import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const deploy = new URL('../../../../../deploy/', import.meta.url);

/** A query of a dashboard's panel. */
export interface PanelQuery {
  readonly dashboard: string;
  readonly panel: string;
  readonly expr: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly description: string;
    readonly datasource: { readonly uid: string };
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets: readonly { readonly expr: string; readonly refId: string }[];
  }[];
}

export const rulesFile = fileURLToPath(new URL('prometheus/rules.yml', deploy));

export const ruleTestsFile = fileURLToPath(new URL('prometheus/rules.test.yml', deploy));

/** An alert, or a recorded series that others use. */
export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
}

export function readRules(): Rule[] {
  const { groups } = parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** The alerts, each once: a few have two rules. */
export function readAlerts(): string[] {
  return [...new Set(readRules().flatMap(({ alert }) => alert ?? []))];
}

export function readDeployed(path: string): string {
  return readFileSync(new URL(path, deploy), 'utf8');
}

export function readDashboards(): Dashboard[] {
  const folder = new URL('grafana/dashboards/', deploy);
  return readdirSync(folder).map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Dashboard);
}

export function readPanelQueries(): PanelQuery[] {
  return readDashboards().flatMap(({ title, panels }) =>
    panels.flatMap((panel) => panel.targets.map(({ expr }) => ({ dashboard: title, panel: panel.title, expr }))),
  );
}
