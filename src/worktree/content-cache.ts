/**
 * Contents that were in the work tree a moment ago, for whoever goes back and forth between versions: reading a hundred
 * files from the store unpacks most of its pages.
 *
 *     .weft/cache/<64 hex digits>     a file that an operation replaced, named by its SHA-256
 *
 * Nothing depends on what is here. A file gets here by a link, which costs nothing, and somebody may still be writing to it;
 * so a content is compared with its name whenever it is taken.
 * @module
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'
import { diskPath } from './disk-path.js'

/** Bytes of all that is kept, and of the largest file. */
const MOST_BYTES = 64 * 1024 * 1024
const LARGEST = 1024 * 1024

/** Files that are kept. */
const MOST_FILES = 4096

export class ContentCache {
  readonly #root: string
  readonly #directory: string
  #added = 0

  constructor(root: string) {
    this.#root = root
    this.#directory = join(root, WEFT_DIRECTORY, 'cache')
  }

  /** A content, where it is here. @param sha256 - Hex. */
  get(sha256: string): Uint8Array | undefined {
    const place = join(this.#directory, sha256)
    try {
      const bytes = readFileSync(place)
      if (crypto.sha256Hex(bytes) === sha256) return bytes
      rmSync(place)
    } catch {
      // Not here, or not to be had: the store has it.
    }
    return undefined
  }

  /** Keeps the file at a path of the work tree, which is about to be replaced. @param sha256 - Of its content, hex. */
  keep(path: string, size: number, sha256: string): void {
    if (size > LARGEST || this.#added >= MOST_FILES) return
    try {
      if (this.#added++ === 0) mkdirSync(this.#directory, { recursive: true })
      linkSync(diskPath(this.#root, path), join(this.#directory, sha256))
    } catch {
      // It is here already, or there can be no links.
    }
  }

  /** Removes what was kept longest, down to half of what there may be, once there is too much. */
  trim(): void {
    if (this.#added === 0) return
    try {
      const files = readdirSync(this.#directory).map((name) => {
        const { size, ctimeMs } = statSync(join(this.#directory, name))
        return { name, size, time: ctimeMs }
      })
      let bytes = files.reduce((sum, { size }) => sum + size, 0)
      if (bytes <= MOST_BYTES && files.length <= MOST_FILES) return
      files.sort((a, b) => b.time - a.time)
      while (bytes > MOST_BYTES / 2 || files.length > MOST_FILES / 2) {
        const { name, size } = files.pop() as (typeof files)[number]
        rmSync(join(this.#directory, name), { force: true })
        bytes -= size
      }
    } catch {
      // Somebody else is at it, or the disk refuses; there is nothing that must be done.
    }
  }
}
