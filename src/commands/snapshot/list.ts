import { PagedCommand } from '../../cli/command.js'
import { formatSnapshots } from '../../cli/format-snapshot.js'

/** `weft snapshot list`: all snapshots. */
export default class SnapshotList extends PagedCommand {
  static override summary = 'List all snapshots'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<void> {
    await this.parse(SnapshotList)
    await using repo = await this.openRepository()
    await this.answer(await repo.snapshots.list(), formatSnapshots)
  }
}
