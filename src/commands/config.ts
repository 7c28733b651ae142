import * as Flags from '@oclif/core/flags'
import { CodedError } from '../base/error.js'
import { optional } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatConfig, formatConfigChange, formatValue } from '../cli/format-config.js'
import { suggest } from '../cli/suggest.js'
import {
  CONFIG_KEYS,
  configKey,
  readConfig,
  repositoryConfigPath,
  SETTINGS,
  type Config as Settings,
  setConfig,
  userConfigPath,
} from '../repo/config.js'
import { findRoot } from '../repo/layout.js'
import type { ConfigChange, ConfigEntry } from '../repo/results.js'

/** `weft config`: settings of the repository and of the user. */
export default class Config extends BaseCommand {
  static override summary = 'Show and change settings'
  static override description =
    `Without a key all settings are listed, each with the file it is from; with a key its value is printed; with a key and a value it is set, for this repository or with --global for all of yours. Settings of a repository count first.\n\n${CONFIG_KEYS.map((key) => `${key}: ${SETTINGS[key].summary}`).join('\n')}`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --global user.name "Ana Ruiz"',
    '<%= config.bin %> <%= command.id %> core.editor',
    '<%= config.bin %> <%= command.id %> core.editor --unset',
  ]
  static override args = { key: optional('Setting to show or to change'), value: optional('What it is to be') }
  static override flags = {
    global: Flags.boolean({ summary: 'Your own settings, not those of this repository' }),
    unset: Flags.boolean({ summary: 'Take the setting out' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Config)
    const { key, value } = args
    const root = flags.global ? undefined : await rootOrNone()
    const settings = readConfig(root, this.home)
    if (key === undefined) {
      if (flags.unset) throw new CodedError('USAGE', 'The flag --unset needs the name of a setting.')
      await this.answer(settings.list(), formatConfig)
    } else if (value === undefined && !flags.unset) {
      await this.answer(entryIn(settings, key), formatValue)
    } else {
      if (value !== undefined && flags.unset) throw new CodedError('USAGE', 'A value and --unset exclude each other.')
      const file = flags.global ? userConfigPath(this.home) : repositoryConfigPath(rootOr(root))
      await this.answer(changeSetting(settings, file, key, value), formatConfigChange)
    }
  }
}

async function rootOrNone(): Promise<string | undefined> {
  try {
    return await findRoot(process.cwd())
  } catch (error) {
    if (error instanceof CodedError && error.code === 'REPO_NOT_FOUND') return undefined
    throw error
  }
}

function rootOr(root: string | undefined): string {
  if (root !== undefined) return root
  throw new CodedError('REPO_NOT_FOUND', 'This is no repository, so it has no settings.', {
    hint: 'Add --global to change your own settings.',
  })
}

/** @throws {CodedError} `CONFIG_UNKNOWN`, `CONFIG_UNSET`. */
function entryIn(settings: Settings, key: string): ConfigEntry {
  const known = configKey(key)
  const entry = known === undefined ? settings.list().find((other) => other.key === key) : settings.entry(known)
  if (entry === undefined) throw unknownKey(key)
  if (entry.value !== undefined) return entry
  throw new CodedError('CONFIG_UNSET', `The setting ${entry.key} is not set.`, {
    hint: `\`weft config ${entry.key} <value>\` sets it, with --global for all your repositories.`,
  })
}

function changeSetting(settings: Settings, file: string, key: string, value: string | undefined): ConfigChange {
  // What weft does not know can be taken out all the same.
  const stray = value === undefined && settings.list().some((entry) => entry.key === key)
  const name = configKey(key) ?? (stray ? key : undefined)
  if (name === undefined) throw unknownKey(key)
  const changed = setConfig(file, name, value)
  return { key: name, ...(value !== undefined && { value }), file, changed }
}

function unknownKey(key: string): CodedError {
  const lastParts = CONFIG_KEYS.find((known) => known.toLowerCase().endsWith(`.${key.toLowerCase()}`))
  const meant = lastParts ?? suggest(key, CONFIG_KEYS)
  return new CodedError('CONFIG_UNKNOWN', `There is no setting ${key}.`, {
    hint: meant === undefined ? `There are: ${CONFIG_KEYS.join(', ')}.` : `Did you mean ${meant}?`,
    data: meant === undefined ? { known: CONFIG_KEYS } : { suggestion: meant },
  })
}
