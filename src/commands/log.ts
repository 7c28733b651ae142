import * as Flags from '@oclif/core/flags'
import { at, optional, VERSION_HELP } from '../cli/arguments.js'
import { PagedCommand } from '../cli/command.js'
import { formatVersion } from '../cli/format-version.js'
import { mindVersions } from '../cli/version-as-path.js'

/** `weft log`: versions, newest first. */
export default class Log extends PagedCommand {
  static override summary = 'List versions, newest first'
  static override description =
    `With a path, only the versions that changed it or something below it.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 5',
    '<%= config.bin %> <%= command.id %> src/server.c --at v1.2',
    '<%= config.bin %> <%= command.id %> --json | head',
  ]
  static override args = { path: optional('File or directory') }
  static override flags = {
    at,
    number: Flags.integer({ char: 'n', helpValue: '<count>', min: 0, summary: 'List at most this many' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Log)
    await using repo = await this.openRepository()
    const versions = repo.log({
      ...(args.path !== undefined && { path: this.pathIn(repo, args.path) }),
      ...(flags.number !== undefined && { limit: flags.number }),
      ...(flags.at !== undefined && { at: flags.at }),
    })
    const names = this.jsonEnabled() ? undefined : await repo.names()
    try {
      await this.answerEach(versions, (version, style) => formatVersion(version, style, names?.get(version.id)))
    } catch (error) {
      throw await mindVersions(error, repo, args.path === undefined ? [] : [args.path], 'weft log')
    }
  }
}
