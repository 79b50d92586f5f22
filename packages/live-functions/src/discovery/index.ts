// Finds the functions of an OpenFaaS, and keeps the register up to date with them.

export { DiscoveredFunctions } from './discovered-functions.ts';
