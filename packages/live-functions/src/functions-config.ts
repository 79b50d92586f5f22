import { namespaceType } from '@asyncfn/queue-core';
import { text, value } from '@asyncfn/service-kit';

/** The settings of gateway and worker about functions. */
export const functionsConfig = {
  functionsFile: text({ env: 'FUNCTIONS_FILE', doc: 'Path of the functions file, or of a `stack.yaml` of OpenFaaS.' }),
  openfaasUrl: text({
    env: 'OPENFAAS_URL',
    doc: 'URL of the OpenFaaS gateway that serves the functions of a `stack.yaml` without `provider.gateway`.',
  }),
  defaultNamespace: value(namespaceType, {
    env: 'DEFAULT_NAMESPACE',
    doc:
      'Namespace that may be omitted from function names: `NAME` and `NAME.NAMESPACE` are then one function. Set it ' +
      'to the same value in all processes. Default: `openfaas-fn` for functions of a `stack.yaml` or with ' +
      'an annotation `com.openfaas.*`, none for all others. See docs/functions.md.',
  }),
};
