// Decides whether a call can be stored (room in its queue, names, durability), and stores it.

export { buildIntake, type Intake } from './build-intake.ts';
