import type { Field, Schema } from './config.ts';

/** The schema as a Markdown table: variable, what it takes, default, meaning. The documentation is made of it. */
export function describeConfig(schema: Schema): string {
  const rows = Object.values(schema).map(toRow);
  return ['| variable | value | default | meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function toRow(field: Field<unknown>): string {
  const { env, expected, doc } = field;
  return `| ${[`\`${env}\``, expected, defaultCell(field), doc].map(toCell).join(' | ')} |`;
}

function defaultCell({ defaultText, secret }: Field<unknown>): string {
  if (defaultText === undefined) {
    return '';
  }
  return secret ? '(secret)' : `\`${defaultText}\``;
}

function toCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
