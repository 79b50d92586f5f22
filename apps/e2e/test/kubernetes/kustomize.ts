import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { mergeInto } from './merge-patch.ts';

/** A resource of Kubernetes, as a file or `kubectl kustomize` has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Renders the kustomization in a folder of the repository. */
export type Renderer = (folder: string) => readonly Manifest[];

interface Generator {
  readonly name: string;
  readonly behavior?: 'merge';
  readonly files?: readonly string[];
  readonly literals?: readonly string[];
  readonly options?: { readonly disableNameSuffixHash?: boolean; readonly labels?: Readonly<Record<string, string>> };
}

interface Kustomization {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly labels?: readonly { readonly pairs: Readonly<Record<string, string>> }[];
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly configMapGenerator?: readonly Generator[];
  readonly secretGenerator?: readonly Generator[];
  readonly patches?: readonly { readonly path: string }[];
}

const known: readonly string[] = [
  'apiVersion',
  'kind',
  'namespace',
  'labels',
  'resources',
  'components',
  'configMapGenerator',
  'secretGenerator',
  'patches',
] satisfies (keyof Kustomization)[];

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** Every document of a YAML file of the repository. Throws for what YAML does not allow. */
export function readDocuments(path: string): readonly Manifest[] {
  return parseDocuments(readFileSync(join(root, path), 'utf8'), path);
}

function parseDocuments(text: string, source: string): readonly Manifest[] {
  return [...parseAllDocuments(text)].map((document) => {
    if (document.errors.length > 0) {
      throw new Error(`${source}: ${document.errors.map(({ message }) => message).join('; ')}`);
    }
    return document.toJS() as Manifest;
  });
}

/** The renderer that people use; undefined on a machine without kubectl. */
export function findKubectl(): Renderer | undefined {
  if (spawnSync('kubectl', ['version', '--client']).status !== 0) {
    return undefined;
  }
  return (folder) => {
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { cwd: root, encoding: 'utf8' });
    if (status !== 0) {
      throw new Error(`kubectl kustomize ${folder}: ${stderr}`);
    }
    return parseDocuments(stdout, folder).map(withWholeLines);
  };
}

/** kubectl breaks long values of Secrets into lines. */
function withWholeLines(manifest: Manifest): Manifest {
  const { kind, data = {} } = manifest as Manifest & { readonly data?: Readonly<Record<string, string>> };
  const joined = Object.entries(data).map(([key, value]) => [key, value.replaceAll('\n', '')]);
  return kind === 'Secret' ? { ...manifest, data: Object.fromEntries(joined) } : manifest;
}

/**
 * Renders what our files use of kustomize, for machines without kubectl. Generated names get no hash. Throws for anything
 * that it does not know, so that it never passes over a part of a file.
 */
export function renderPlainly(folder: string): readonly Manifest[] {
  return renderFolder(folder, []);
}

function renderFolder(folder: string, given: readonly Manifest[]): Manifest[] {
  const file = readKustomization(folder);
  const resources = [...given, ...(file.resources ?? []).flatMap((path) => renderResource(join(folder, path)))];
  for (const generator of file.configMapGenerator ?? []) {
    generate(resources, 'ConfigMap', { data: readEntries(folder, generator) }, generator);
  }
  for (const generator of file.secretGenerator ?? []) {
    const entries = Object.entries(readEntries(folder, generator));
    const data = Object.fromEntries(entries.map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
    generate(resources, 'Secret', { data, type: 'Opaque' }, generator);
  }
  const all = (file.components ?? []).reduce((made, path) => renderFolder(join(folder, path), made), resources);
  for (const { path } of file.patches ?? []) {
    const [patch] = readDocuments(join(folder, path));
    mergeInto(find(all, patch!.kind, patch!.metadata.name), patch!);
  }
  return all.map((resource) => withMetadata(resource, file));
}

function renderResource(path: string): readonly Manifest[] {
  return existsSync(join(root, path, 'kustomization.yaml')) ? renderFolder(path, []) : readDocuments(path);
}

function readKustomization(folder: string): Kustomization {
  const [file] = readDocuments(join(folder, 'kustomization.yaml'));
  const others = Object.keys(file!).filter((field) => !known.includes(field));
  if (others.length > 0) {
    throw new Error(`${folder}/kustomization.yaml: the tests do not know ${others.join(', ')}`);
  }
  return file as unknown as Kustomization;
}

function readEntries(folder: string, { files = [], literals = [] }: Generator): Record<string, string> {
  const fromFiles = files.map((path) => [basename(path), readFileSync(join(root, folder, path), 'utf8')]);
  const given = literals.map((literal) => {
    const [key, ...value] = literal.split('=');
    return [key, value.join('=')];
  });
  return Object.fromEntries([...fromFiles, ...given]) as Record<string, string>;
}

function generate(resources: Manifest[], kind: string, content: object, { name, behavior, options }: Generator): void {
  if (behavior === 'merge') {
    mergeInto(find(resources, kind, name), content);
  } else {
    const labels = options?.labels;
    resources.push({ apiVersion: 'v1', kind, metadata: { name, ...(labels && { labels }) }, ...content });
  }
}

function find(resources: readonly Manifest[], kind: string, name: string): Manifest {
  const found = resources.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) {
    throw new Error(`there is no ${kind} ${name} to change`);
  }
  return found;
}

function withMetadata(resource: Manifest, { namespace, labels = [] }: Kustomization): Manifest {
  const added = Object.assign({}, ...labels.map(({ pairs }) => pairs)) as Record<string, string>;
  const old = resource.metadata['labels'] as Record<string, string> | undefined;
  const all = { ...old, ...added };
  const isPlaced = namespace !== undefined && resource.kind !== 'Namespace';
  const metadata = {
    ...resource.metadata,
    ...(isPlaced && { namespace }),
    ...(Object.keys(all).length > 0 && { labels: all }),
  };
  return { ...resource, metadata };
}
