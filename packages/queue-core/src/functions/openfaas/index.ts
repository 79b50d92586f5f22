// Reads OpenFaaS's stack files and annotations.

export { readCronAnnotations } from './cron-annotations.ts';
export { isKnownAnnotation, maxWaitAnnotation, minWaitAnnotation, readAnnotations } from './openfaas-annotations.ts';
export { gatewayExpectation, gatewayTemplate, isStack, nameInStack } from './openfaas-stack.ts';
