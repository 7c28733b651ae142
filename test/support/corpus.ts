/**
 * Where the histories are that tests import: bundles in `fixtures/`, always; large ones in `../shared/corpus`, perhaps.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './weft.js'

/** Path of a bundle in `fixtures/`, by its name without `.bundle`. */
export function fixture(name: string): string {
  return join(ROOT, 'fixtures', `${name}.bundle`)
}

/** A large history beside the project, and why a test has to do without it where it is not there. */
export interface Corpus {
  readonly name: string
  readonly path: string
  /** For `node:test`: false, or the reason to skip. */
  readonly skip: string | false
}

/** A large history by its name without `.bundle`. */
export function corpus(name: string): Corpus {
  const path = join(ROOT, '..', 'shared', 'corpus', `${name}.bundle`)
  return { name, path, skip: existsSync(path) ? false : `there is no ../shared/corpus/${name}.bundle` }
}
