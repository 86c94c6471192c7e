/** Which release this is, and which ones of Vault and OpenBao its wire and texts are those of. */
export const PRODUCT_VERSION = '0.1.0'
/** What `sys/health` and `sys/seal-status` call the version: clients choose their features by it. */
export const WIRE_VERSION = '1.21.0'
/** The OpenBao that the command line follows where it is started as `bao`. */
export const OPENBAO_VERSION = '2.6.2'
