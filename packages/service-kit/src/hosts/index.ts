// Which host names a server answers to.

export { type HostPattern, hostPatternType } from './host-pattern.ts';
export { isLoopback } from './loopback.ts';
export { OwnHosts } from './own-hosts.ts';
