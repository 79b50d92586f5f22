import { text } from '@asyncfn/service-kit';

/** What gateway and worker are told of the functions. */
export const functionsConfig = {
  functionsFile: text({ env: 'FUNCTIONS_FILE', doc: 'Path of the functions file, or of a `stack.yaml` of OpenFaaS.' }),
  openfaasUrl: text({
    env: 'OPENFAAS_URL',
    doc: 'URL of the OpenFaaS gateway that serves the functions of a `stack.yaml` without `provider.gateway`.',
  }),
};
