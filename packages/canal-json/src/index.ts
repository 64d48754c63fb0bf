export { ByteWriter } from './byte-writer.ts';
export { claimCheckValue } from './claim-check.ts';
export { bitText, enumLabel, isBinaryType, setLabels } from './column-value.ts';
export { uncompressed } from './compression.ts';
export { decode } from './decode.ts';
export { encode } from './encode.ts';
export {
  type CanalMessage,
  type DdlChange,
  type DdlType,
  ddlTypes,
  type Row,
  type RowChange,
  type RowType,
  rowTypes,
  type Watermark,
  watermarkType,
} from './message.ts';
export { binaryText, binaryValue, previousRow } from './row.ts';
export {
  type Column,
  type RowStamp,
  type RowValues,
  type Table,
  type TableEncoder,
  type TableEncoderOptions,
  tableEncoder,
} from './table-encoder.ts';
export { tsoFromMs, tsoToMs } from './tso.ts';
