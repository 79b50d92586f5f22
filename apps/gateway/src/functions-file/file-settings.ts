import { gatewayConfig } from '../config.ts';

/** The settings of a gateway that decide whether a functions file is valid. */
export const fileSettings = {
  functionsFile: gatewayConfig.functionsFile,
  openfaasUrl: gatewayConfig.openfaasUrl,
  defaultNamespace: gatewayConfig.defaultNamespace,
  maxBodyBytes: gatewayConfig.maxBodyBytes,
  maxInflightBytes: gatewayConfig.maxInflightBytes,
  callbackAllow: gatewayConfig.callbackAllow,
  callbackDeny: gatewayConfig.callbackDeny,
  callbackPorts: gatewayConfig.callbackPorts,
  callbackHttpsOnly: gatewayConfig.callbackHttpsOnly,
};
