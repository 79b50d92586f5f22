import type { Found } from '@asyncfn/checked-yaml';
import { type ScheduleSettings, scheduleNameProblem, scheduleProblems } from '../../schedules/index.ts';
import { entriesOf } from '../entries-of.ts';
import type { FunctionsContent } from '../functions-schema.ts';
import { nameOfEntry } from '../names/index.ts';
import { readCronAnnotations } from '../openfaas/index.ts';
import type { DocumentContext } from './document-context.ts';
import type { KnownFunctions } from './group-problems.ts';

/** Problems of schedules, even in a document whose shape is wrong elsewhere. */
export function scheduleSectionProblems(
  document: unknown,
  { exists }: Pick<KnownFunctions, 'exists'>,
  { callProblems = () => [] }: Pick<DocumentContext, 'callProblems'> = {},
): Found[] {
  const written = entriesOf(document, 'schedules');
  const ofWritten = written.flatMap(([name, settings]): Found[] => {
    const ofName = scheduleNameProblem(name);
    const found = scheduleProblems(settings);
    const ofCalls =
      found.length > 0 ? [] : [...missingFunction(settings, exists), ...callProblems(settings as ScheduleSettings)];
    return [
      ...(ofName === undefined ? [] : [{ keys: ['schedules', name], problem: ofName }]),
      ...[...found, ...ofCalls].map(({ keys, problem }) => ({ keys: ['schedules', name, ...keys], problem })),
    ];
  });
  return [...ofWritten, ...annotationProblems(document)];
}

/** The schedules of a document without problems. Those that are written go before those of annotations. */
export function toSchedules(
  content: FunctionsContent,
  defaultNamespace: string | undefined,
): Map<string, ScheduleSettings> {
  const schedules = new Map<string, ScheduleSettings>();
  for (const [key, own] of Object.entries(content.functions ?? {})) {
    const read = readCronAnnotations(own.annotations);
    if (read?.kind === 'timing') {
      const { name } = nameOfEntry(key, own, defaultNamespace);
      schedules.set(scheduleOf(name), { function: name, ...read.timing });
    }
  }
  for (const [name, settings] of Object.entries(content.schedules ?? {})) {
    schedules.set(name, settings as ScheduleSettings);
  }
  return schedules;
}

function missingFunction(settings: unknown, exists: KnownFunctions['exists']): Found[] {
  const [[, name] = []] = entriesOf({ settings }, 'settings').filter(([key]) => key === 'function');
  return typeof name === 'string' && !exists(name)
    ? [{ keys: ['function'], problem: `names the function ${name}, which is not among the functions` }]
    : [];
}

function annotationProblems(document: unknown): Found[] {
  return entriesOf(document, 'functions').flatMap(([key, settings]): Found[] => {
    const read = readCronAnnotations(Object.fromEntries(entriesOf(settings, 'annotations')));
    return read?.kind === 'problem'
      ? [{ keys: ['functions', key, 'annotations', read.annotation], problem: read.problem }]
      : [];
  });
}

/** The name of the schedule that the annotations of a function make: names of schedules have no dots. */
function scheduleOf(name: string): string {
  return name.replace('.', '-').slice(0, 63);
}
