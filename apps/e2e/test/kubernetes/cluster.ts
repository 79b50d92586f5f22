import { findKubectl, type Manifest, type Renderer, renderPlainly } from './kustomize.ts';

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

export interface EnvEntry {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly env?: readonly EnvEntry[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly startupProbe?: Probe;
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly securityContext: object;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

export interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
  readonly emptyDir?: object;
}

/** A Deployment or StatefulSet. Each of ours has one container. */
export interface Workload {
  readonly name: string;
  readonly replicas: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly graceSeconds: number;
  readonly podSecurity: object;
  readonly automountsToken: boolean;
  readonly container: Container;
  readonly volumes: readonly Volume[];
}

interface WorkloadSpec {
  readonly replicas?: number;
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
      readonly automountServiceAccountToken?: boolean;
      readonly terminationGracePeriodSeconds: number;
      readonly securityContext: object;
      readonly containers: readonly [Container];
      readonly volumes?: readonly Volume[];
    };
  };
}

/** What an overlay puts into a cluster. */
export class Cluster {
  readonly manifests: readonly Manifest[];

  constructor(manifests: readonly Manifest[]) {
    this.manifests = manifests;
  }

  all(kind: string): readonly Manifest[] {
    return this.manifests.filter((each) => each.kind === kind);
  }

  /** @param name without the hash that kustomize adds to generated names */
  one(kind: string, name: string): Manifest {
    const found = this.all(kind).find(({ metadata }) => withoutHash(metadata.name) === name);
    if (found === undefined) {
      throw new Error(`there is no ${kind} ${name}`);
    }
    return found;
  }

  get workloads(): readonly Workload[] {
    return [...this.all('StatefulSet'), ...this.all('Deployment')].map(toWorkload);
  }

  workload(name: string): Workload {
    const found = this.workloads.find((each) => each.name === name);
    if (found === undefined) {
      throw new Error(`there is no workload ${name}`);
    }
    return found;
  }

  /** The texts of a ConfigMap or Secret, by its whole name. */
  texts(kind: 'ConfigMap' | 'Secret', name: string): Readonly<Record<string, string>> | undefined {
    const found = this.all(kind).find(({ metadata }) => metadata.name === name);
    const data = found?.['data'] as Record<string, string> | undefined;
    if (kind === 'ConfigMap' || data === undefined) {
      return data;
    }
    const texts = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
    return Object.fromEntries(texts) as Record<string, string>;
  }
}

/** The environment of a workload's container. `secrets` stand in for Secrets that the overlay does not have. */
export function envOf(
  cluster: Cluster,
  { container }: Workload,
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Record<string, string> {
  const entries = (container.env ?? []).map(({ name, value, valueFrom }) => {
    const { secretKeyRef: ref } = valueFrom ?? {};
    const texts = ref && (cluster.texts('Secret', ref.name) ?? secrets[ref.name]);
    return [name, value ?? (ref && texts?.[ref.key])] as const;
  });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function toWorkload({ metadata, spec }: Manifest): Workload {
  const { replicas, template } = spec as WorkloadSpec;
  const pod = template.spec;
  return {
    name: metadata.name,
    replicas,
    labels: template.metadata.labels,
    graceSeconds: pod.terminationGracePeriodSeconds,
    podSecurity: pod.securityContext,
    automountsToken: pod.automountServiceAccountToken ?? true,
    container: pod.containers[0],
    volumes: pod.volumes ?? [],
  };
}

/** Kustomize's hashes have ten characters. */
export function withoutHash(name: string): string {
  return name.replace(/-[a-z0-9]{10}$/, '');
}

const kubectl = findKubectl();

/** Ours on every machine, and kubectl's where there is one. */
export const renderers: readonly (readonly [string, Renderer])[] = [
  ['our renderer', renderPlainly],
  ...(kubectl === undefined ? [] : [['kubectl', kubectl] as const]),
];

export function renderOverlay(render: Renderer, overlay: string): Cluster {
  return new Cluster(render(`deploy/kubernetes/overlays/${overlay}`));
}
