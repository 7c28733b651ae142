/**
 * What oclif is told about this program, in place of the `oclif` section of a package.json.
 *
 * oclif would search and read its settings, a manifest and the files of commands at every start; here the bundle's folder
 * is known, so `BundledPlugin` reads one manifest and a run loads the one command it needs.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from '@oclif/core/command'
import { Plugin } from '@oclif/core/config'
import type { LoadOptions, Manifest, PJSON, PluginOptions } from '@oclif/core/interfaces'
import pkg from '../../package.json' with { type: 'json' }

/** Name and version of the package, as published. */
export const NAME = pkg.name
export const VERSION = pkg.version

/** File that the build writes: flags and help of every command. */
const MANIFEST = 'oclif.manifest.json'

/** Commands by oclif's ids, `store:stat`; a getter each, so that only what runs is evaluated. */
export type Commands = Readonly<Record<string, Command.Class>>

/**
 * Settings for oclif's `run`: the commands of one bundle, and nothing from anywhere else.
 *
 * @param root - Absolute path of the bundle's folder.
 */
export async function loadSettings(root: string, commands: Commands): Promise<LoadOptions> {
  const plugin = new BundledPlugin({ root, pjson: PJSON_OF_BUNDLE, isRoot: true }, commands)
  await plugin.load()
  return { root, pjson: PJSON_OF_BUNDLE, version: VERSION, plugins: new Map([[plugin.name, plugin]]) }
}

/** What `weft --help` says to those who have nothing yet. */
const BEGINNING =
  'To begin: weft init <dir>, or weft git import <repository> <dir> --checkout. Then, in <dir>: weft status, commit, log, blame, merge; and weft undo takes back whatever a command did.'

const PJSON_OF_BUNDLE: PJSON = {
  name: NAME,
  version: VERSION,
  type: 'commonjs',
  description: `${pkg.description}\n${BEGINNING}`,
  oclif: {
    bin: 'weft',
    dirname: 'weft',
    topicSeparator: ' ',
    additionalHelpFlags: ['-h'],
    commands: { strategy: 'explicit', target: './main.js', identifier: 'commands' },
    hooks: { command_not_found: [{ target: './main.js', identifier: 'commandNotFound' }] },
    topics: {
      bisect: { description: 'Find the version that broke something' },
      git: { description: 'Bring git repositories in, and write them out' },
      key: { description: 'Show your key, and decide whose versions count' },
      op: { description: 'See what commands did' },
      rdx: { description: 'Read, write and merge replicated values in files' },
      'serve:token': { description: 'Say who may come through a server' },
      snapshot: { description: 'Name the state of a repository and come back to it' },
      store: { description: 'Look at the entries a repository is made of' },
    },
  },
}

/**
 * The commands of the bundle.
 *
 * It does what oclif's `Plugin` does where a manifest is there, but for sorting the commands with `localeCompare`: the
 * manifest is sorted, and the first use of a collation costs 6 ms.
 */
class BundledPlugin extends Plugin {
  private readonly bundled: Commands

  constructor(options: PluginOptions, commands: Commands) {
    super(options)
    this.bundled = commands
  }

  override async load(): Promise<void> {
    const { root, pjson } = this.options
    if (pjson === undefined) throw new TypeError('expected a package description, got undefined')
    this.type = 'core'
    this.isRoot = true
    this.valid = true
    this.root = root
    this.pjson = pjson
    this.moduleType = 'commonjs'
    this.name = pjson.name
    this.alias = pjson.name
    this.version = pjson.version
    this.hooks = pjson.oclif.hooks as typeof this.hooks
    this.manifest = JSON.parse(readFileSync(join(root, MANIFEST), 'utf8')) as Manifest
    this.hasManifest = true
    this.commandIDs = Object.keys(this.manifest.commands)
    this.commands = Object.values(this.manifest.commands).map((command) => ({
      ...command,
      pluginAlias: this.alias,
      pluginType: this.type,
      load: () => this.loadCommand(command.id),
    }))
  }

  private async loadCommand(id: string): Promise<Command.Class> {
    const command = this.bundled[id]
    if (command === undefined) throw new TypeError(`the manifest names ${id}, which is not in the bundle`)
    command.id = id
    command.plugin = this
    return command
  }
}
