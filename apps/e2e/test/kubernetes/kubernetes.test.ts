import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { BlockList } from 'node:net';
import { parseDuration, parseSize } from '@asyncfn/units';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readDocumentedMetrics } from '../harness/documents/documented-metrics.ts';
import { readDocumentedSettings } from '../harness/documents/documented-settings.ts';
import { readRoot } from '../images/compose-file.ts';
import { type Cluster, envOf, renderers, renderOverlay, type Workload, withoutHash } from './cluster.ts';
import { type Manifest, readDocuments, renderPlainly } from './kustomize.ts';
import { findProblems } from './schemas.ts';

const folder = 'deploy/kubernetes';
const page = readRoot('docs/kubernetes.md');
const { version } = JSON.parse(readRoot('package.json')) as { version: string };
const gateway = readDocumentedSettings('Gateway');
const worker = readDocumentedSettings('Worker');

/** Those that people create for the overlay `ha` before they apply it, with their keys. */
const ownSecrets = {
  'asyncfn-nats': ['gateway-password', 'worker-password'],
  'asyncfn-tokens': ['tokens.yaml'],
  'asyncfn-callbacks': ['signing-secrets'],
};

const overlays = renderers.flatMap(([name, render]) =>
  ['dev', 'ha'].map((overlay) => [overlay, name, renderOverlay(render, overlay)] as const),
);

describe.each(overlays)('the overlay %s, rendered by %s', (overlay, _renderer, cluster) => {
  const { workloads } = cluster;

  test('is valid by the schemas of Kubernetes and of the operators, and has no field that they do not have', () => {
    expect(cluster.manifests.length).toBeGreaterThan(15);
    expect(cluster.manifests.flatMap(findProblems)).toEqual([]);
  });

  test('has all ConfigMaps and Secrets that pods name, except those that people create', () => {
    const missing = workloads
      .flatMap((each) => referencesOf(each))
      .filter(({ kind, name, key }) => {
        const texts = cluster.texts(kind, name);
        return texts === undefined || (key !== undefined && !(key in texts));
      });
    const own = overlay === 'ha' ? Object.keys(ownSecrets) : [];
    expect(new Set(missing.map(({ kind, name }) => `${kind} ${name}`))).toEqual(
      new Set(own.map((name) => `Secret ${name}`)),
    );
    for (const { name, key } of missing) {
      expect(key === undefined || ownSecrets[name as keyof typeof ownSecrets].includes(key), `${name}: ${key}`).toBe(
        true,
      );
    }
  });

  test('every Service leads to a port of a pod, and every budget of disruptions covers a workload', () => {
    for (const { metadata, spec } of cluster.all('Service') as readonly ServiceManifest[]) {
      const [pod] = selected(workloads, spec.selector);
      for (const { port, targetPort } of spec.ports) {
        expect(pod?.container.ports, metadata.name).toContainEqual({ name: targetPort, containerPort: port });
      }
    }
    const budgets = cluster.all('PodDisruptionBudget') as readonly SelectingManifest[];
    const covered = budgets.map(({ spec }) => selected(workloads, spec.selector.matchLabels).map(({ name }) => name));
    expect(covered.flat().toSorted()).toEqual(['asyncfn-gateway', 'asyncfn-nats', 'asyncfn-worker']);
  });

  test('no pod runs as root, writes to its image, keeps a capability, or has a token of Kubernetes', () => {
    for (const { name, podSecurity, container, automountsToken, volumes } of workloads) {
      expect(podSecurity, name).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(container.securityContext, name).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(automountsToken, name).toBe(false);
      const kinds = volumes.flatMap((volume) => Object.keys(volume));
      expect(kinds.filter((kind) => !['name', 'configMap', 'secret', 'emptyDir'].includes(kind))).toEqual([]);
    }
    const { metadata } = cluster.one('Namespace', 'asyncfn');
    expect(metadata['labels']).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });

  test('the images are those of this version', () => {
    const own = workloads.map(({ container }) => container.image).filter((image) => !image.startsWith('nats:'));
    expect(own.length).toBeGreaterThan(1);
    for (const image of own) {
      expect(image).toMatch(
        new RegExp(`^ghcr\\.io/asyncfn/asyncfn(-gateway|-worker)?:${version.replaceAll('.', '\\.')}$`),
      );
    }
    expect(cluster.workload('asyncfn-nats').container.image).toBe(
      parse(readRoot('docker-compose.yml')).services.nats.image,
    );
  });

  test.each([
    ['asyncfn-gateway', gateway],
    ['asyncfn-worker', worker],
  ])('%s has only settings that exist, and ports and probes as it serves them', (name, settings) => {
    const { container } = cluster.workload(name);
    const names = (container.env ?? []).map((entry) => entry.name);
    expect(names.filter((each) => !settings.has(each))).toEqual([]);
    const ports = { http: settings.get('PORT')?.default, ops: settings.get('OPS_PORT')?.default };
    for (const { name: port, containerPort } of container.ports) {
      expect(String(containerPort)).toBe(ports[port as keyof typeof ports]);
    }
    expect(container.livenessProbe.httpGet).toEqual({ path: '/livez', port: 'ops' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'ops' });
  });

  test('a pod has more time to stop than its process takes', () => {
    for (const name of ['asyncfn-gateway', 'asyncfn-worker']) {
      const pod = cluster.workload(name);
      // The README: allow it SHUTDOWN_TIMEOUT plus 15 s.
      const [command, seconds = '0'] = pod.container.lifecycle?.preStop.exec.command ?? [];
      expect([undefined, 'sleep']).toContain(command);
      const shutdownMs = parseDuration(envOf(cluster, pod)['SHUTDOWN_TIMEOUT'] ?? '') ?? Number.NaN;
      expect(pod.graceSeconds * 1_000, name).toBeGreaterThanOrEqual((Number(seconds) + 15) * 1_000 + shutdownMs);
    }
  });

  test('memory limits have room for what the documentation says that a process takes', () => {
    const mebibyte = 1024 * 1024;
    const limitOf = (name: string) => parseSize(`${cluster.workload(name).container.resources.limits.memory}B`) ?? 0;
    const inflight = (settings: typeof gateway) => parseSize(settings.get('MAX_INFLIGHT_BYTES')?.default ?? '') ?? 0;
    expect(limitOf('asyncfn-gateway')).toBeGreaterThan(6 * inflight(gateway) + 350 * mebibyte);
    expect(limitOf('asyncfn-worker')).toBeGreaterThan(inflight(worker) + 250 * mebibyte);
    expect(limitOf('asyncfn-nats')).toBeGreaterThan(
      parseSize(envOf(cluster, cluster.workload('asyncfn-nats'))['GOMEMLIMIT'] ?? '') ?? 0,
    );
  });

  test('files that settings name are in the pod, and change there without a restart', () => {
    for (const name of ['asyncfn-gateway', 'asyncfn-worker']) {
      const pod = cluster.workload(name);
      const env = envOf(cluster, pod);
      const paths = [env['FUNCTIONS_FILE'], env['AUTH_TOKENS_FILE']].map((path = '') =>
        path.split('/').slice(0, -1).join('/'),
      );
      expect(pod.container.volumeMounts?.map(({ mountPath }) => mountPath).toSorted()).toEqual(paths.toSorted());
      // A ConfigMap of another name with each change would start other pods instead.
      expect(pod.volumes.find((volume) => volume.configMap)?.configMap?.name).toBe('asyncfn-functions');
    }
  });

  test('processes connect to the servers that there are', () => {
    const nats = cluster.workload('asyncfn-nats');
    const service = cluster.one('Service', 'asyncfn-nats') as ServiceManifest;
    const pods = Array.from(
      { length: nats.replicas ?? 0 },
      (_, index) => `nats://asyncfn-nats-${index}.asyncfn-nats:4222`,
    );
    expect(service.spec.publishNotReadyAddresses).toBe(true);
    for (const name of ['asyncfn-gateway', 'asyncfn-worker']) {
      const env = envOf(cluster, cluster.workload(name));
      expect(env['NATS_URL']).toBe(pods.length === 1 ? 'nats://asyncfn-nats:4222' : pods.join(','));
      expect(env['STREAM_REPLICAS'] ?? '1').toBe(String(pods.length));
    }
  });

  test('NATS has our permissions, the limits of the compose file, and less to store than its volume has', () => {
    const config = natsFiles(cluster);
    expect(config['nats-permissions.conf']).toContain(readRoot('deploy/nats-permissions.conf'));
    const own = config['nats.conf'] ?? '';
    const shipped = readRoot('deploy/nats.conf');
    for (const setting of ['max_payload', 'max_pending', 'max_memory_store', 'max_file_store', 'sync_interval']) {
      expect(natsSetting(own, setting)).toBe(natsSetting(shipped, setting));
      expect(natsSetting(own, setting)).not.toBeUndefined();
    }
    const [claim] = (cluster.one('StatefulSet', 'asyncfn-nats') as ClaimingManifest).spec.volumeClaimTemplates;
    const volume = parseSize(`${claim?.spec.resources.requests.storage}B`) ?? 0;
    expect(volume).toBeGreaterThan(
      Number(/^(\d+)GB$/.exec(natsSetting(own, 'max_file_store') ?? '')?.[1]) * 1_000 ** 3,
    );
    const mounts = cluster.workload('asyncfn-nats').container.volumeMounts ?? [];
    expect(mounts.filter(({ readOnly }) => !readOnly).map(({ mountPath }) => mountPath)).toEqual([
      natsSetting(own, 'store_dir'),
      '/tmp',
    ]);
  });

  test('a worker reaches NATS, DNS, functions, and public addresses at the ports of callbacks, and no private one', () => {
    const policies = cluster.all('NetworkPolicy') as readonly PolicyManifest[];
    const pod = cluster.workload('asyncfn-worker');
    const applied = policies.filter(({ spec }) => matches(pod.labels, spec.podSelector));
    expect(applied.map(({ metadata }) => metadata.name)).toEqual(
      expect.arrayContaining(['asyncfn-deny', 'asyncfn-dns', 'asyncfn-worker']),
    );
    const rules = policies.find(({ metadata }) => metadata.name === 'asyncfn-worker')?.spec.egress ?? [];
    const open = rules.find(({ to }) => to.some(({ ipBlock }) => ipBlock !== undefined));
    const ports = open?.ports?.map(({ port, endPort }) => (endPort === undefined ? `${port}` : `${port}-${endPort}`));
    expect(ports?.join(',')).toBe(worker.get('CALLBACK_PORTS')?.default);
    const reaches = (address: string) => (open?.to ?? []).some(({ ipBlock }) => ipBlock && isIn(address, ipBlock));
    expect(['1.1.1.1', '93.184.216.34', '2606:4700::1111'].filter((each) => !reaches(each))).toEqual([]);
    const inner = [
      '10.96.0.1',
      '169.254.169.254',
      '127.0.0.1',
      '192.168.1.1',
      '172.20.0.1',
      '100.64.0.1',
      '::1',
      'fd00::1',
      'fe80::1',
    ];
    expect(inner.filter(reaches)).toEqual([]);
  });

  test('each pod of ours may be reached at the ports that others need, and at no further one', () => {
    const policies = cluster.all('NetworkPolicy') as readonly PolicyManifest[];
    const allowed = (name: string) =>
      policies
        .filter(
          ({ spec, metadata }) =>
            matches(cluster.workload(name).labels, spec.podSelector) && metadata.name !== 'asyncfn-deny',
        )
        .flatMap(({ spec }) => spec.ingress ?? [])
        .flatMap(({ ports = [] }) => ports.map(({ port }) => port));
    expect(allowed('asyncfn-nats')).toEqual([4222, 6222]);
    expect(allowed('asyncfn-gateway')).toEqual([8080, 8082]);
    expect(allowed('asyncfn-worker')).toEqual([8081]);
  });
});

describe.each(renderers)('rendered by %s', (_renderer, render) => {
  const dev = renderOverlay(render, 'dev');
  const ha = renderOverlay(render, 'ha');

  test('dev is one of each, with functions and an inbox that the worker may call', () => {
    expect(dev.workloads.map(({ name, replicas = 1 }) => [name, replicas])).toEqual(
      expect.arrayContaining(['nats', 'gateway', 'worker', 'samples', 'inbox'].map((name) => [`asyncfn-${name}`, 1])),
    );
    const file = dev.texts('ConfigMap', 'asyncfn-functions')?.['functions.yaml'] ?? '';
    const { functions } = parse(file) as { functions: Record<string, { url: string }> };
    const callable = dev.workloads
      .filter(({ labels }) => labels['asyncfn-functions'] === 'true')
      .map(({ name }) => name);
    expect(callable.toSorted()).toEqual(['asyncfn-inbox', 'asyncfn-samples']);
    const ports = dev.workload('asyncfn-samples').container.ports.map(({ containerPort }) => String(containerPort));
    for (const url of Object.values(functions).map((each) => new URL(each.url))) {
      expect([url.hostname, [url.port]]).toEqual(['asyncfn-samples', ports]);
    }
    for (const name of ['asyncfn-gateway', 'asyncfn-worker']) {
      expect(envOf(dev, dev.workload(name))['CALLBACK_ALLOW']).toBe('asyncfn-inbox');
    }
  });

  test('the secrets of dev say that they are none, and its token is the one of the page', () => {
    const secrets = dev.all('Secret').map(({ metadata }) => dev.texts('Secret', metadata.name) ?? {});
    const texts = Object.assign({}, ...secrets) as Record<string, string>;
    expect(texts['gateway-password']).toMatch(/^dev-only-/);
    expect(texts['worker-password']).toMatch(/^dev-only-/);
    const key = /^whsec_(.*)$/.exec(texts['signing-secrets'] ?? '')?.[1] ?? '';
    expect(Buffer.from(key, 'base64').toString()).toMatch(/^dev only, not a secret/);
    const token = 'asyncfn_dev_only_not_a_secret';
    expect(texts['tokens.yaml']).toContain(`sha256:${createHash('sha256').update(token).digest('hex')}`);
    expect(page).toContain(token);
  });

  test('the commands of an upgrade apply each part with its configuration', () => {
    const parts = ['asyncfn-nats', 'asyncfn-worker', 'asyncfn-gateway'];
    expect(page).toContain(`for part in ${parts.join(' ')}; do`);
    const labelled = (part: string) =>
      ha.manifests.filter(
        ({ metadata }) => (metadata['labels'] as Labels | undefined)?.['app.kubernetes.io/name'] === part,
      );
    const kinds = parts.map((part) => [...new Set(labelled(part).map(({ kind }) => kind))].toSorted());
    expect(kinds).toEqual([
      ['ConfigMap', 'Service', 'StatefulSet'],
      ['Deployment', 'Service'],
      ['Deployment', 'Service'],
    ]);
  });

  test('ha survives the loss of one: three servers that sync to disk on three nodes, and two gateways', () => {
    const nats = ha.workload('asyncfn-nats');
    const routes = Array.from(
      { length: nats.replicas ?? 0 },
      (_, index) => `"nats-route://asyncfn-nats-${index}.asyncfn-nats:6222"`,
    );
    expect(routes.length).toBe(3);
    const { 'cluster.conf': cluster = '', 'nats.conf': config = '' } = natsFiles(ha);
    expect(cluster.match(/"nats-route:[^"]*"/g)).toEqual(routes);
    expect(natsSetting(config, 'sync_interval')).toBe('always');
    expect(JSON.stringify(ha.one('StatefulSet', 'asyncfn-nats'))).toContain('"whenUnsatisfiable":"DoNotSchedule"');
    expect(ha.workload('asyncfn-gateway').replicas).toBe(2);
    expect(envOf(ha, ha.workload('asyncfn-gateway'))['REQUIRE_DURABILITY']).toBe('fsync-quorum');
    expect(ha.all('Secret')).toEqual([]);
  });

  test('a server of ha that stops has the time to hand over its streams', () => {
    const { graceSeconds, container } = ha.workload('asyncfn-nats');
    const { 'cluster.conf': cluster = '', 'nats.conf': config = '' } = natsFiles(ha);
    expect(container.lifecycle?.preStop.exec.command).toEqual([
      'nats-server',
      '--signal',
      `ldm=${natsSetting(config, 'pid_file')}`,
    ]);
    const lasts = ['lame_duck_grace_period', 'lame_duck_duration'].map((name) =>
      Number.parseInt(natsSetting(cluster, name) ?? '', 10),
    );
    expect(graceSeconds).toBeGreaterThan(lasts.reduce((sum, each) => sum + each, 0) + 5);
  });

  test('KEDA scales the workers of ha: the manifests have no number of their own', () => {
    const { spec } = ha.one('ScaledObject', 'asyncfn-worker') as Manifest & { spec: ScaledSpec };
    expect(spec.scaleTargetRef.name).toBe('asyncfn-worker');
    expect(ha.workload('asyncfn-worker').replicas).toBeUndefined();
    expect(spec.minReplicaCount).toBeGreaterThan(1);
    const [trigger] = spec.triggers;
    const exported = new Set(readDocumentedMetrics().map(({ name }) => name));
    const used = trigger?.metadata.query.match(/queue_worker_\w+/g) ?? [];
    expect(new Set(used).size).toBe(3);
    expect(used.filter((name) => !exported.has(name))).toEqual([]);
    const slots = Number(worker.get('MAX_INFLIGHT')?.default);
    expect(Number(trigger?.metadata.threshold)).toBe(0.75 * slots);
  });

  test('Prometheus finds the operations servers under the names of jobs that the rules use', () => {
    const { spec } = ha.one('ServiceMonitor', 'asyncfn') as Manifest & { spec: MonitorSpec };
    const services = (ha.all('Service') as readonly ServiceManifest[]).filter(({ metadata }) =>
      matches(metadata.labels, spec.selector),
    );
    expect(services.map(({ metadata }) => metadata.labels[spec.jobLabel] ?? '').toSorted()).toEqual([
      'asyncfn-gateway',
      'asyncfn-worker',
    ]);
    for (const { spec: service } of services) {
      expect(service.ports.map(({ name }) => name)).toEqual([spec.endpoints[0]?.port]);
    }
    expect(ha.one('PrometheusRule', 'asyncfn')['spec']).toEqual(parse(readRoot('deploy/prometheus/rules.yml')));
  });
});

test.each(renderers.slice(1))('%s and our renderer make the same of both overlays', (_renderer, render) => {
  for (const overlay of ['dev', 'ha']) {
    expect(byName(renderOverlay(render, overlay))).toEqual(byName(renderOverlay(renderPlainly, overlay)));
  }
});

test('the page creates the secrets that ha needs, with their keys', () => {
  for (const [name, keys] of Object.entries(ownSecrets)) {
    const [line = ''] = new RegExp(`create secret generic ${name} [^]*?[^\\\\]\n`).exec(page) ?? [];
    for (const key of keys) {
      expect(line).toMatch(new RegExp(`--from-(literal|file)=${key}=`));
    }
  }
});

test('the examples for functions are valid', () => {
  const examples = readdirSync(new URL(`../../../../${folder}/examples`, import.meta.url));
  const manifests = examples
    .flatMap((file) => readDocuments(`${folder}/examples/${file}`))
    .filter(({ kind }) => kind !== undefined);
  expect(manifests.map(({ kind }) => kind).toSorted()).toEqual(['HorizontalPodAutoscaler', 'ScaledObject']);
  expect(manifests.flatMap(findProblems)).toEqual([]);
});

test('a resource with a wrong value or a field that does not exist has problems', () => {
  const [service] = readDocuments(`${folder}/base/gateway.yaml`);
  expect(findProblems(service!)).toEqual([]);
  const spec = service!['spec'] as object;
  expect(findProblems({ ...service!, spec: { ...spec, selektor: {} } })).toEqual([
    'Service asyncfn-gateway: no schema has /spec/selektor',
  ]);
  expect(findProblems({ ...service!, spec: { ...spec, ports: [{ port: '8080' }] } })[0]).toContain(
    '/spec/ports/0/port must be integer',
  );
  expect(findProblems({ ...service!, apiVersion: 'apps/v1' })[0]).toContain('apps/v1 has no such kind');
});

type Labels = Readonly<Record<string, string>>;

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { readonly key: string; readonly values: readonly string[] }[];
}

interface ServiceManifest extends Manifest {
  readonly metadata: Manifest['metadata'] & { readonly labels: Labels };
  readonly spec: {
    readonly selector: Labels;
    readonly publishNotReadyAddresses?: boolean;
    readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
  };
}

interface SelectingManifest extends Manifest {
  readonly spec: { readonly selector: { readonly matchLabels: Labels } };
}

interface ClaimingManifest extends Manifest {
  readonly spec: {
    readonly volumeClaimTemplates: readonly {
      readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } };
    }[];
  };
}

interface IpBlock {
  readonly cidr: string;
  readonly except?: readonly string[];
}

interface PolicyPort {
  readonly port: number;
  readonly endPort?: number;
}

interface PolicyManifest extends Manifest {
  readonly spec: {
    readonly podSelector: Selector;
    readonly ingress?: readonly { readonly ports?: readonly PolicyPort[] }[];
    readonly egress?: readonly {
      readonly ports?: readonly PolicyPort[];
      readonly to: readonly { readonly ipBlock?: IpBlock }[];
    }[];
  };
}

interface ScaledSpec {
  readonly scaleTargetRef: { readonly name: string };
  readonly minReplicaCount: number;
  readonly triggers: readonly { readonly metadata: { readonly query: string; readonly threshold: string } }[];
}

interface MonitorSpec {
  readonly selector: Selector;
  readonly jobLabel: string;
  readonly endpoints: readonly { readonly port: string }[];
}

function matches(labels: Labels, { matchLabels = {} }: Selector): boolean {
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
}

function selected(workloads: readonly Workload[], matchLabels: Labels): Workload[] {
  return workloads.filter(({ labels }) => matches(labels, { matchLabels }));
}

function referencesOf({ container, volumes }: Workload) {
  const keys = (container.env ?? []).flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
  return [
    ...keys.map(({ name, key }) => ({ kind: 'Secret' as const, name, key })),
    ...volumes.flatMap(({ configMap, secret }) => [
      ...(configMap === undefined ? [] : [{ kind: 'ConfigMap' as const, name: configMap.name, key: undefined }]),
      ...(secret === undefined ? [] : [{ kind: 'Secret' as const, name: secret.secretName, key: undefined }]),
    ]),
  ];
}

function natsFiles(cluster: Cluster): Readonly<Record<string, string>> {
  const name = cluster.workload('asyncfn-nats').volumes.find((volume) => volume.configMap)?.configMap?.name ?? '';
  return cluster.texts('ConfigMap', name) ?? {};
}

/** A setting of nats-server's configuration, whose comments do not count. */
function natsSetting(text: string, name: string): string | undefined {
  return new RegExp(`^\\s*${name}: (\\S+)$`, 'm').exec(text)?.[1];
}

function isIn(address: string, { cidr, except = [] }: IpBlock): boolean {
  const isWithin = (range: string) => {
    const [base = '', bits] = range.split('/');
    const list = new BlockList();
    list.addSubnet(base, Number(bits), base.includes(':') ? 'ipv6' : 'ipv4');
    return list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
  };
  return isWithin(cidr) && !except.some(isWithin);
}

/** The resources by kind and name, without the hashes of generated names, and lists of named items in one order. */
function byName(cluster: Cluster): Record<string, unknown> {
  const generated = cluster.manifests.map(({ metadata }) => metadata.name).filter((name) => name !== withoutHash(name));
  const text = generated.reduce(
    (all, name) => all.replaceAll(`"${name}"`, `"${withoutHash(name)}"`),
    JSON.stringify(cluster.manifests),
  );
  const manifests = JSON.parse(text, (_key, value: unknown) => sorted(value)) as Manifest[];
  return Object.fromEntries(manifests.map((each) => [`${each.kind} ${each.metadata.name}`, each]));
}

function sorted(value: unknown): unknown {
  const nameOf = (item: { name?: string }) => item.name ?? '';
  return Array.isArray(value) ? value.toSorted((a, b) => nameOf(a).localeCompare(nameOf(b))) : value;
}
