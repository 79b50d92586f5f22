// Which gateway a command talks to, and with which token.

export { resolveTarget, type TargetOptions } from './resolve-target.ts';
