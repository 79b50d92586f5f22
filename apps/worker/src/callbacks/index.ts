// Delivers callbacks.

export { buildCallbacks, type Callbacks } from './build-callbacks.ts';
export { CallbackDeliverer } from './callback-deliverer.ts';
export { toCallbackTask } from './callback-request.ts';
export { loadTokenSecrets } from './signing/index.ts';
