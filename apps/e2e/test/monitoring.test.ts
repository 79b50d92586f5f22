import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readDocumentedMetrics } from './harness/documents/documented-metrics.ts';
import {
  readAlerts,
  readDashboards,
  readDeployed,
  readPanelQueries,
  readRules,
} from './harness/documents/monitoring-files.ts';

/** promtool's own names. */
interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  }[];
}

/** The processes export everything that docs/metrics.md names: metrics.e2e.test.ts ensures it. */
const documented = new Map(readDocumentedMetrics().map((metric) => [metric.name, metric]));
const ofProcess =
  /^(process_cpu_seconds_total|process_resident_memory_bytes|process_start_time_seconds|nodejs_eventloop_lag_p99_seconds|up)$/;
const expressions = [...readPanelQueries().map(({ expr }) => expr), ...readRules().map(({ expr }) => expr)];

function metricsIn(expr: string): string[] {
  return [...expr.matchAll(/\b((?:gateway|queue_worker|http|process|nodejs)_[a-z0-9_]+|up)\b/g)].map(([name]) => name);
}

test('dashboards and alert rules use metrics that are exported, and labels that these have', () => {
  expect(expressions.length).toBeGreaterThan(40);
  for (const expr of expressions) {
    const names = metricsIn(expr);
    expect(names, expr).not.toEqual([]);
    for (const name of names) {
      const metric = documented.get(name) ?? documented.get(name.replace(/_(bucket|count|sum)$/, ''));
      expect(metric !== undefined || ofProcess.test(name), `${name} in ${expr}`).toBe(true);
    }
    const known = new Set(['le', 'instance', 'job', ...names.flatMap((name) => labelsOf(name))]);
    const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', '));
    expect(
      grouped.filter((label) => !known.has(label)),
      expr,
    ).toEqual([]);
  }
});

test('backlogs are never summed over workers', () => {
  const brokerCounts = ['pending_messages', 'oldest_message_age_seconds', 'scheduled_messages', 'callbacks_waiting'];
  for (const expr of expressions.filter((each) => brokerCounts.some((name) => each.includes(name)))) {
    expect(expr).toMatch(/max(?: by \([^)]*\))? \(?\(?queue_worker_|max\(queue_worker_/);
  }
});

test('Grafana can read every dashboard: panels do not overlap, have descriptions, and use the configured data source', () => {
  const source = /uid: (\S+)/.exec(readDeployed('grafana/provisioning/datasources/prometheus.yml'))?.[1];
  const dashboards = readDashboards();
  expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(3);
  for (const { panels } of dashboards) {
    const places = panels.map(({ gridPos: { x, y } }) => `${x}/${y}`);
    expect(new Set(places).size).toBe(panels.length);
    for (const panel of panels) {
      expect(panel.datasource.uid).toBe(source);
      expect(panel.description).not.toBe('');
      expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
      expect(panel.targets.length).toBeGreaterThan(0);
    }
  }
});

test('every alert is explained in docs/operations.md, and no other is', () => {
  const operations = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const explained = [...operations.matchAll(/^### `(Asyncfn\w+)`/gm)].map(([, name = '']) => name);
  expect(explained.toSorted()).toEqual(readAlerts().toSorted());
});

test('every series that a rule uses is recorded, and used', () => {
  const recorded = readRules().flatMap(({ record }) => record ?? []);
  const used = expressions.flatMap((expr) => expr.match(/\basyncfn:\w+/g) ?? []);
  expect(recorded.length).toBeGreaterThan(0);
  expect(new Set(used)).toEqual(new Set(recorded));
});

test('every alert is tested: there is a case in which it fires, and one in which it does not', () => {
  const { tests } = parse(readDeployed('prometheus/rules.test.yml')) as RuleTests;
  const cases = tests.flatMap(({ alert_rule_test: each }) => each);
  const named = (fires: boolean) =>
    new Set(cases.filter(({ exp_alerts: alerts }) => alerts.length > 0 === fires).map(({ alertname }) => alertname));
  expect([...named(true)].toSorted()).toEqual(readAlerts().toSorted());
  expect([...named(false)].toSorted()).toEqual(readAlerts().toSorted());
});

function labelsOf(name: string): readonly string[] {
  return (documented.get(name) ?? documented.get(name.replace(/_(bucket|count|sum)$/, '')))?.labels ?? [];
}
