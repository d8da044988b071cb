//! Faults of processes.

use crate::row::{Row, millis};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("killed, and started again", "a crash strands its leases").fault(|stage| {
            stage.until(500 + fastrand::u64(..400));
            stage.fault(|stage| stage.workers[0].kill());
            stage.until(1_200);
            stage.fault(|stage| stage.start(0));
        }),
        Row::new("killed again and again", "a crash strands its leases").lasts(4_000).fault(
            |stage| {
                for round in 0..5 {
                    stage.until(400 + 300 * round + fastrand::u64(..200));
                    stage.fault(|stage| {
                        for worker in 0..2 {
                            stage.workers[worker].kill();
                            stage.start(worker);
                        }
                    });
                }
            },
        ),
        Row::new("terminated, and started again", "a crash strands its leases").fault(|stage| {
            stage.until(500 + fastrand::u64(..400));
            stage.fault(|stage| {
                (0..4).for_each(|worker| stage.workers[worker].terminate());
                (0..4).for_each(|worker| stage.start(worker));
            });
        }),
        Row::new("one is killed for good", "a crash strands its leases").fault(|stage| {
            stage.until(500 + fastrand::u64(..400));
            stage.fault(|stage| stage.workers[3].kill());
        }),
        Row::new("stopped for longer than its lease", "the deadline: a thread that stops")
            .fault(|stage| {
                stage.fault_for(
                    400,
                    |stage| stage.workers[0].stop(),
                    |stage| stage.workers[0].go_on(),
                );
            })
            .expect(|expected| expected.stalls = true),
        Row::new("stopped in the midst of a lease", "the deadline: a thread that stops")
            .fault(|stage| {
                stage.until(600);
                stage.fault(|stage| {
                    for _ in 0..8 {
                        for worker in [0, 1] {
                            stage.workers[worker].stop();
                            std::thread::sleep(millis(30 + fastrand::u64(..60)));
                            stage.workers[worker].go_on();
                        }
                    }
                });
            })
            .lasts(4_500)
            .expect(|expected| expected.stalls = true),
    ]
}
