import { readFileSync } from 'node:fs';

/** A row of a table in docs/metrics.md. */
export interface DocumentedMetric {
  readonly app: 'gateway' | 'worker';
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

const row = /^\| `([a-z_]+)` \| (counter|gauge|histogram) \|([^|]*)\|/;

/** The metrics of gateways and workers according to docs/metrics.md. */
export function readDocumentedMetrics(): DocumentedMetric[] {
  const text = readFileSync(new URL('../../../../../docs/metrics.md', import.meta.url), 'utf8');
  const found: DocumentedMetric[] = [];
  let app: DocumentedMetric['app'] = 'gateway';
  for (const line of text.split('\n')) {
    app = /^## Worker/.test(line) ? 'worker' : app;
    const [, name, type = '', labels = ''] = row.exec(line) ?? [];
    if (name !== undefined) {
      found.push({ app, name, type, labels: [...labels.matchAll(/`([a-z_]+)`/g)].map(([, label = '']) => label) });
    }
  }
  return found;
}
