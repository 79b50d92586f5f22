// Delivers callbacks.

export { CallbackDesk } from './callback-desk.ts';
export { toCallbackTask } from './callback-request.ts';
export { CallbackSender } from './callback-sender.ts';
export { CallbackKeys, loadTokenSecrets, type TokenKeys } from './signing/index.ts';
export { createWayOut, type WayOut } from './way-out.ts';
