export { formatDuration, parseDuration } from './duration.ts';
export { parseInstant, parseUnixSeconds } from './instant.ts';
export { formatRate, parseRate, type Rate, rateExpectation } from './rate.ts';
export { formatSize, parseSize } from './size.ts';
export { parseUrl } from './url.ts';
