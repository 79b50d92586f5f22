/** One line of an exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with all its samples. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const types = new Set(['counter', 'gauge', 'histogram', 'summary']);

/**
 * Reads Prometheus's text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), strictly: every
 * family has a help text and a type that come before its samples, no sample comes twice. Throws with the line.
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) {
    throw new Error('the exposition does not end with a line feed');
  }
  const families = new Map<string, { name: string; help: string; type: string; samples: Sample[] }>();
  const seen = new Set<string>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const meta = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (meta !== null) {
      const [, kind = '', name = '', value = ''] = meta;
      const family = families.get(name) ?? { name, help: '', type: '', samples: [] };
      families.set(name, kind === 'HELP' ? { ...family, help: value } : { ...family, type: value });
      continue;
    }
    const sample = parseSample(line);
    const family = families.get(sample.name) ?? families.get(sample.name.replace(/_(bucket|sum|count)$/, ''));
    if (family === undefined || family.help === '' || !types.has(family.type)) {
      throw new Error(`a sample without help and type: ${line}`);
    }
    const key = line.slice(0, line.lastIndexOf(' '));
    if (seen.has(key)) {
      throw new Error(`a sample that comes twice: ${line}`);
    }
    seen.add(key);
    family.samples.push(sample);
  }
  return families;
}

function parseSample(line: string): Sample {
  const [, name, labelText = '', valueText = ''] = sampleLine.exec(line) ?? [];
  const value = Number(valueText.replace(/^([+-]?)Inf$/, '$1Infinity'));
  if (name === undefined || (Number.isNaN(value) && valueText !== 'NaN')) {
    throw new Error(`not a sample: ${line}`);
  }
  return { name, labels: parseLabels(labelText, line), value };
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  labelPair.lastIndex = 0;
  while (labelPair.lastIndex < text.length) {
    const [, name = '', value = ''] = labelPair.exec(text) ?? [];
    if (name === '' || name in labels) {
      throw new Error(`labels that cannot be read: ${line}`);
    }
    labels[name] = value;
  }
  return labels;
}
