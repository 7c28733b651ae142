/**
 * Paths of the work tree as the file system takes them: a text in half the time, where bytes and text are the same.
 * @module
 */
import { fromLatin1 } from '../base/bytes.js'
import { below } from '../repo/target.js'

/** Whether a binary string is the same as bytes and as text. */
const ASCII = /^[ -~]*$/

/**
 * @param root - The work tree, as text.
 * @param path - Below it, a binary string.
 */
export function diskPath(root: string, path: string): string | Buffer {
  if (path === '') return root
  return ASCII.test(path) ? `${root}/${path}` : below(root, fromLatin1(path))
}
