import { errorCode } from '@tidemark/kernel';

/** Errors of the file system that say something about the disk, not about the program. */
const DISK_ERRORS: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EROFS',
  'EMFILE',
  'ENFILE',
  'EACCES',
  'EPERM',
  'ENODEV',
  'EFBIG',
]);

/** True when the disk refused: full, read-only, broken. The same request may succeed later. */
export function isStorageFailure(error: unknown): boolean {
  return DISK_ERRORS.has(errorCode(error) ?? '');
}
