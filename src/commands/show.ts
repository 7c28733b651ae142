import { optional, VERSION_HELP } from '../cli/arguments.js'
import { PagedCommand } from '../cli/command.js'
import { formatDetail } from '../cli/format-version.js'

/** `weft show`: one version in full. */
export default class Show extends PagedCommand {
  static override summary = 'Show a version: who, when, signed by whom, and what it changed'
  static override description =
    `The patch is against the first parent and can be given to patch -p1.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> main~2',
    '<%= config.bin %> <%= command.id %> 1f3a5b',
  ]
  static override args = { version: optional('Version to show, by default the newest of the current branch') }

  async run(): Promise<void> {
    const { args } = await this.parse(Show)
    await using repo = await this.openRepository()
    await this.answer(await repo.show(args.version ?? 'HEAD'), formatDetail)
  }
}
