package com.google.android.gms.tasks;

import java.util.concurrent.ExecutionException;

public final class Tasks {
    public static native <T> T await(Task<T> task) throws ExecutionException, InterruptedException;
}
