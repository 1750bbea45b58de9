package io.tome4j.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.bytedeco.pytorch.global.torch;

/**
 * Threads that each carry out whole chains of operations, where otherwise every single operation would be split among
 * threads and wait for the slowest: no waiting between operations, and what one operation leaves in a core's cache the
 * next one finds there. libtorch uses one thread inside each.
 */
public final class Workers {
    /** Does all on the calling thread, whose operations use libtorch's own threads. */
    public static final Workers NONE = new Workers(0);

    private final int threads;
    private final List<ExecutorService> executors = new ArrayList<>(); // none, or one a thread

    /** @param threads how many; with less than 2 the calling thread does all */
    Workers(int threads) {
        this.threads = threads;
        if (threads > 1) {
            start();
        }
    }

    /** How many tasks are carried out at the same time, at least 1. */
    public int count() {
        return Math.max(1, threads);
    }

    private void start() {
        for (int number = 0; number < threads; number++) {
            String name = "tome4j-" + number;
            executors.add(Executors.newSingleThreadExecutor(task -> {
                Thread thread = new Thread(task, name);
                thread.setDaemon(true);
                return thread;
            }));
        }
        int before = torch.get_num_threads();
        each(() -> {
            torch.get_num_threads(); // a thread's first question sets its number, so it must not come later
            torch.set_num_threads(1);
        });
        // The number is the thread's own, but the last one set is also what new threads begin with.
        torch.set_num_threads(before);
    }

    /**
     * Calls a task for each number from 0 to {@code count - 1}, each once, in any order, and returns when all are done.
     * A task opens its own {@link TensorScope}; it may read tensors of the caller.
     *
     * @throws RuntimeException the first that a task has thrown
     */
    public void forEach(long count, LongConsumer task) {
        if (threads < 2 || count < 2) {
            for (long number = 0; number < count; number++) {
                task.accept(number);
            }
            return;
        }
        AtomicLong next = new AtomicLong();
        each(() -> {
            for (long number = next.getAndIncrement(); number < count; number = next.getAndIncrement()) {
                task.accept(number);
            }
        });
    }

    /** Runs the same on every thread at once. */
    private void each(Runnable work) {
        List<Future<?>> running = new ArrayList<>();
        executors.forEach(executor -> running.add(executor.submit(work)));
        List<Throwable> failures = new ArrayList<>();
        running.forEach(future -> await(future, failures));
        if (!failures.isEmpty()) {
            if (failures.get(0) instanceof RuntimeException exception) {
                throw exception;
            }
            throw new IllegalStateException(failures.get(0));
        }
    }

    /** Waits even if interrupted: what the threads compute with must not be freed under them. */
    private static void await(Future<?> future, List<Throwable> failures) {
        boolean interrupted = false;
        while (true) {
            try {
                future.get();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                failures.add(e.getCause());
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
