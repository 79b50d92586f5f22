import { describeEnvironment } from '../environment.ts';
import type { CaseResult, SubjectResult } from '../run-case.ts';
import type { Figure } from '../scenario.ts';
import type { Report, ScenarioResult } from './report.ts';
import { ratioOf, spreadOf } from './summary.ts';

/** The report as Markdown: a table for each scenario. */
export function toMarkdown({ environment, scale, scenarios }: Report): string {
  const head = [`Scale \`${scale}\`. ${describeEnvironment(environment)}`, 'Median (lowest–highest) of the rounds.'];
  return `${[...head, ...scenarios.map(toTable)].join('\n\n')}\n`;
}

export function toTable(scenario: ScenarioResult): string {
  const { title, figures, reference, cases } = scenario;
  const compared = figures.filter((figure) => figure.compared === true);
  const columns = ['', '', ...figures.map(({ name }) => name), ...compared.map(({ name }) => `${name} ÷ ${reference}`)];
  const rows = cases.flatMap((each) => toRows(each, scenario, compared));
  const rule = columns.map((_, index) => (index < 2 ? '---' : '---:'));
  return [`### ${title}`, '', ...[columns, rule, ...rows].map((row) => `| ${row.join(' | ')} |`)].join('\n');
}

function toRows({ name, subjects }: CaseResult, scenario: ScenarioResult, compared: readonly Figure[]): string[][] {
  const reference = subjects.find(({ subject }) => subject === scenario.reference);
  return subjects.map((subject, index) => [
    index === 0 ? name : '',
    subject.absent === undefined ? subject.subject : `${subject.subject}: ${subject.absent}`,
    ...scenario.figures.map((figure) => toCell(subject, figure)),
    ...compared.map((figure) => toRatio(subject, reference, figure)),
  ]);
}

function toCell(subject: SubjectResult, { name }: Figure): string {
  const spread = spreadOf(subject, name);
  if (spread === undefined) {
    return '';
  }
  const { median, min, max } = spread;
  return subject.rounds.length === 1 ? toNumber(median) : `${toNumber(median)} (${toNumber(min)}–${toNumber(max)})`;
}

function toRatio(subject: SubjectResult, reference: SubjectResult | undefined, { name }: Figure): string {
  const ratio = reference === undefined || reference === subject ? undefined : ratioOf(subject, reference, name);
  return ratio === undefined ? '' : ratio.toFixed(2);
}

/** Three digits: such a measurement is no more precise. */
export function toNumber(value: number): string {
  if (Math.abs(value) >= 1000) {
    const digits = Math.max(0, Math.floor(Math.log10(Math.abs(value))) - 2);
    return (Math.round(value / 10 ** digits) * 10 ** digits).toLocaleString('en-US');
  }
  return String(Number(value.toPrecision(3)));
}
