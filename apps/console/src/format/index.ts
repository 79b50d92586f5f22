// Numbers, times and codes as people read them.

export { toCurl } from './curl.ts';
export {
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatMany,
  formatRate,
  formatShare,
  formatShort,
  formatTime,
} from './format.ts';
export { describeReason } from './reasons.ts';
