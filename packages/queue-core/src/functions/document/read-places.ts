import { entriesOf } from '../entries-of.ts';
import { settingNames } from '../functions-schema.ts';
import { isKnownAnnotation, isStack, readCronAnnotations } from '../openfaas/index.ts';

/**
 * Whether a value of a document is used here. A stack file has many values about images and containers, and their
 * variables need not be set here.
 */
export function isRead(keys: readonly string[], document: unknown): boolean {
  const [section = '', name, setting, annotation] = keys;
  if (setting === 'annotations' && annotation !== undefined) {
    return section !== 'functions' || isKnownAnnotation(annotation) || isCronSchedule(annotation, name, document);
  }
  if (!isStack(document)) {
    return true;
  }
  switch (section) {
    case 'functions':
      return name === undefined || setting === undefined || settingsOfStack.has(setting);
    case 'provider':
      return name === undefined || name === 'name' || name === 'gateway';
    default:
      return readSections.has(section);
  }
}

/** Our own sections, beside those of OpenFaaS. */
const readSections: ReadonlySet<string> = new Set(['defaults', 'queues', 'groups', 'discover', 'schedules']);
const settingsOfStack: ReadonlySet<string> = new Set([...settingNames, 'namespace', 'annotations']);

/** Other connectors have schedules of their own. */
function isCronSchedule(annotation: string, name: string | undefined, document: unknown): boolean {
  const settings = entriesOf(document, 'functions').find(([key]) => key === name)?.[1];
  return (
    annotation === 'schedule' &&
    readCronAnnotations(Object.fromEntries(entriesOf(settings, 'annotations'))) !== undefined
  );
}
