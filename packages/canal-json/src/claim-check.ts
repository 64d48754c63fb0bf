import { TidemarkError } from '@tidemark/kernel';

/**
 * The message inside the file that `claimCheckLocation` names: `{"key":"…","value":"…"}` with both in base64, or the
 * message itself where the changefeed says `claim-check-raw-value` (pingcap/ticdc, pkg/sink/codec/common/message.go).
 * @throws TidemarkError `CANAL_JSON_CLAIM_CHECK` for what is neither
 */
export function claimCheckValue(file: Uint8Array): Uint8Array {
  const { value, type } = parse(file);
  if (typeof value === 'string') return Buffer.from(value, 'base64');
  if (typeof type === 'string') return file;
  throw notClaimCheck();
}

function parse(file: Uint8Array): { readonly value?: unknown; readonly type?: unknown } {
  try {
    return Object(JSON.parse(Buffer.from(file).toString('utf8'))) as object;
  } catch {
    throw notClaimCheck();
  }
}

function notClaimCheck(): TidemarkError {
  return new TidemarkError(
    'CANAL_JSON_CLAIM_CHECK',
    'the file holds neither a message nor a claim check with its value',
    { hint: 'Read the file that claimCheckLocation names, whole.' },
  );
}
