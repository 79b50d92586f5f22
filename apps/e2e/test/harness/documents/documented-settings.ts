import { readFileSync } from 'node:fs';

/** A row of a table in docs/configuration.md, which is written from the schemas of the processes. */
export interface DocumentedSetting {
  readonly name: string;
  readonly default: string | undefined;
}

const row = /^\| `([A-Z_]+)` \|[^|]*\| (?:`([^`]*)`)? *\|/;

/** The settings of a process by their names. @param process the heading of its part of the page */
export function readDocumentedSettings(process: 'Gateway' | 'Worker'): ReadonlyMap<string, DocumentedSetting> {
  const text = readFileSync(new URL('../../../../../docs/configuration.md', import.meta.url), 'utf8');
  const part = text.split(/^## /m).find((each) => each.startsWith(`${process}\n`)) ?? '';
  const settings = part.split('\n').flatMap((line) => {
    const [, name, value] = row.exec(line) ?? [];
    return name === undefined ? [] : [{ name, default: value }];
  });
  return new Map(settings.map((setting) => [setting.name, setting]));
}
