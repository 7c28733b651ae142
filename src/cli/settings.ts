/**
 * What oclif is told about this program, in place of the `oclif` section of a package.json that it would otherwise
 * search and read at every start.
 *
 * `root` is the folder of the bundle. In it stand `oclif.manifest.json` (flags and help of every command, written by the
 * build) and one file per command, so that a run loads the one command it needs and no other.
 * @module
 */
import type { Interfaces } from '@oclif/core'
import pkg from '../../package.json' with { type: 'json' }

/** Name and version of the package, as published. */
export const NAME = pkg.name
export const VERSION = pkg.version

/**
 * Settings for `Config.load` and `run` of oclif.
 *
 * @param root - Absolute path of the folder that holds `commands/`, without a slash at its end.
 */
export function oclifSettings(root: string): Interfaces.LoadOptions {
  return { root, pjson: structuredClone(PJSON), version: VERSION, userPlugins: false, devPlugins: false }
}

const PJSON: Interfaces.PJSON = {
  name: NAME,
  version: VERSION,
  type: 'module',
  description: pkg.description,
  oclif: {
    bin: 'weft',
    dirname: 'weft',
    topicSeparator: ' ',
    additionalHelpFlags: ['-h'],
    commands: { strategy: 'pattern', target: './commands' },
    hooks: { command_not_found: './hooks/command-not-found.js' },
    topics: {
      git: { description: 'Bring git repositories in' },
      snapshot: { description: 'Name the state of a repository and come back to it' },
      store: { description: 'Look at the entries a repository is made of' },
    },
  },
}
