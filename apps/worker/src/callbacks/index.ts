// Delivers callbacks.

export { CallbackDeliverer } from './callback-deliverer.ts';
export { type CallbackEgress, createCallbackEgress } from './callback-egress.ts';
export { toCallbackTask } from './callback-request.ts';
export { CallbackSender } from './callback-sender.ts';
export { CallbackKeys, loadTokenSecrets, type TokenKeys } from './signing/index.ts';
