// The bug: a worker forgets ends by their age alone. Its check whether a call is still in motion never finds one.
import { QueueTopology, runWorker } from './shipped.mjs';

const original = Object.getOwnPropertyDescriptor(QueueTopology.prototype, 'manager');
async function* nothing() {}
Object.defineProperty(QueueTopology.prototype, 'manager', {
  get() {
    const manager = original.get.call(this);
    manager.direct.getLastMessagesFor = async () => nothing();
    return manager;
  },
});
runWorker();
