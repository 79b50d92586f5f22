import { settingNames } from '../functions-schema.ts';
import { isKnownAnnotation, isStack } from '../openfaas/index.ts';

/**
 * Whether a value of a document is used here. A stack file has many values about images and containers, and their
 * variables need not be set here.
 */
export function isRead(keys: readonly string[], document: unknown): boolean {
  const [section = '', name, setting, annotation] = keys;
  if (setting === 'annotations' && annotation !== undefined) {
    return section !== 'functions' || isKnownAnnotation(annotation);
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
      return section === 'defaults' || section === 'queues' || section === 'groups' || section === 'discover';
  }
}

const settingsOfStack: ReadonlySet<string> = new Set([...settingNames, 'namespace', 'annotations']);
