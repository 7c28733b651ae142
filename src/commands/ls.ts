import { at, optional, VERSION_HELP } from '../cli/arguments.js'
import { PagedCommand } from '../cli/command.js'
import { formatTree } from '../cli/format-tree.js'

/** `weft ls`: the paths of a version. */
export default class Ls extends PagedCommand {
  static override summary = 'List the files of a version'
  static override description =
    `Prints mode, size in bytes, SHA-256 and path of every file, at any depth.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> src --at v1.2',
    '<%= config.bin %> <%= command.id %> --at 2014-01-01T00:00:00Z --json',
  ]
  static override args = { path: optional('File or directory to list') }
  static override flags = { at }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Ls)
    await using repo = await this.openRepository()
    const entries = await repo.list({
      ...(args.path !== undefined && { path: this.pathIn(repo, args.path) }),
      ...(flags.at !== undefined && { at: flags.at }),
    })
    await (this.jsonEnabled() ? this.answerEach(entries, String) : this.answer(entries, formatTree))
  }
}
