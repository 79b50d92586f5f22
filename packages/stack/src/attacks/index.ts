// What a hostile caller can do to a gateway.

export { type Attack, type AttackTarget, attackerFunctions } from './attack.ts';
export { type AttackerServer, startAttackerServer } from './attacker-server.ts';
export { type AttackName, attacks } from './attacks.ts';
