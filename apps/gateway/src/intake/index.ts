// What decides whether a call can be stored, and stores it: room in its queue, names, durability.

export { buildIntake, type Intake } from './build-intake.ts';
