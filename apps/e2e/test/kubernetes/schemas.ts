import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import type { Manifest } from './kustomize.ts';

/** Each validates itself against the schema of Kubernetes or of the custom resource. */
const models = [
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  PrometheusRule,
  ScaledObject,
  Secret,
  Service,
  ServiceMonitor,
  StatefulSet,
];

/** What the schemas say against a resource. A field that no schema has is a problem too: Kubernetes would drop it. */
export function findProblems(manifest: Manifest): string[] {
  const name = `${manifest.kind} ${manifest.metadata.name}`;
  const Model = models.find((each) => each.apiVersion === manifest.apiVersion && each.kind === manifest.kind);
  if (Model === undefined) {
    return [`${name}: ${manifest.apiVersion} has no such kind, or the tests do not know it`];
  }
  const model = new Model(manifest as never) as { validate(): void };
  const fields = new Map<string, boolean>();
  try {
    model.validate.call(watchReads(model, '', fields));
  } catch (error) {
    return [`${name}: ${error instanceof Error ? error.message : error}`];
  }
  const unread = [...fields].filter(([, isRead]) => !isRead).map(([path]) => path);
  return unread.map((path) => `${name}: no schema has ${path}`);
}

/** Notes which fields are read: a validator reads those that its schema has. */
function watchReads<T>(value: T, path: string, fields: Map<string, boolean>): T {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  for (const key of Object.keys(value)) {
    fields.set(`${path}/${key}`, false);
  }
  const watched = new Map<PropertyKey, unknown>();
  return new Proxy(value, {
    get(target, key) {
      const inner: unknown = Reflect.get(target, key);
      if (typeof key === 'symbol' || !Object.hasOwn(target, key)) {
        return inner;
      }
      fields.set(`${path}/${key}`, true);
      if (!watched.has(key)) {
        watched.set(key, watchReads(inner, `${path}/${key}`, fields));
      }
      return watched.get(key);
    },
  });
}
