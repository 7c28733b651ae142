/**
 * What a file system refuses, in the words of weft.
 * @module
 */
import { type Code, CodedError } from '../base/error.js'

const MEANINGS: Readonly<Record<string, readonly [code: Code, what: string, hint: string]>> = {
  EACCES: ['DISK_DENIED', 'writing is not permitted', 'Choose a place that you may write to.'],
  EDQUOT: ['DISK_FULL', 'your disk quota is used up', 'Make room, or choose another disk.'],
  EEXIST: [
    'PATH_COLLISION',
    'the file system takes two paths for one',
    'Choose a disk that tells upper from lower case.',
  ],
  ENAMETOOLONG: ['PATH_TOO_LONG', 'the name or path is too long for the file system', 'Leave the path out.'],
  ENOENT: ['DIR_NOT_FOUND', 'the directory is not there', 'Make it first, or choose another place.'],
  ENOSPC: ['DISK_FULL', 'no space is left on the disk', 'Make room, or choose another disk.'],
  ENOTDIR: ['DIR_NOT_FOUND', 'a part of its path is a file', 'Choose another place.'],
  EPERM: ['DISK_DENIED', 'writing is not permitted', 'Choose a place that you may write to.'],
  EROFS: ['DISK_DENIED', 'the disk is read-only', 'Choose a place that you may write to.'],
}

/**
 * The error for a system call on `path` that failed; anything that is no such failure is given back as it is.
 *
 * @param path - As people know it.
 */
export function diskError(error: unknown, path: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (!(error instanceof Error) || code === undefined || syscall === undefined) return error
  const [own, what, hint] = MEANINGS[code] ?? ['DISK_IO', error.message, 'Check the disk, and try again.']
  return new CodedError(own, `${path} cannot be written: ${what}.`, { hint, cause: error, data: { path, errno: code } })
}
