type Fields = Record<string, unknown>;

/**
 * Kustomize's strategic merge, as far as our patches need it: objects are merged, null removes, lists whose items have
 * names are merged by name, and other lists are replaced.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
 */
export function mergeInto(target: object, patch: object): void {
  const fields = target as Fields;
  for (const [key, value] of Object.entries(patch)) {
    const old = fields[key];
    if (value === null) {
      delete fields[key];
    } else if (isNamedList(value) && isNamedList(old)) {
      mergeLists(old, value);
    } else if (isFields(value) && isFields(old)) {
      mergeInto(old, value);
    } else {
      fields[key] = value;
    }
  }
}

function mergeLists(target: Fields[], patch: readonly Fields[]): void {
  const added: Fields[] = [];
  for (const item of patch) {
    const old = target.find(({ name }) => name === item['name']);
    if (old === undefined) {
      added.push(item);
    } else {
      mergeInto(old, item);
    }
  }
  target.unshift(...added);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNamedList(value: unknown): value is Fields[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => isFields(item) && 'name' in item);
}
