// What gateways and workers tell of themselves. Pure.

export {
  mostLanes,
  type ProcessReport,
  processReportCodec,
  processSubjects,
  type ReportedLane,
} from './process-report.ts';
