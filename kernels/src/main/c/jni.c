/* The native methods of io.tome4j.kernels.NativeCalls. */
#include "attention.h"
#include "cpu.h"
#include "winograd.h"

#include <jni.h>
#include <stdint.h>

/* What this library was built from, for the test that compares it with the sources. */
__attribute__((used)) static const char built_from[] = "tome4j-kernels built from " SOURCES;

static void *address(jlong number) {
    return (void *) (intptr_t) number;
}

static bf16_rows rows_at(jlong start, jlong stride) {
    return (bf16_rows) {.start = address(start), .stride = stride};
}

JNIEXPORT jboolean JNICALL Java_io_tome4j_kernels_NativeCalls_hasAvx512Bf16(JNIEnv *env, jclass type) {
    (void) env, (void) type;
    return cpu_has_avx512_bf16() ? JNI_TRUE : JNI_FALSE;
}

JNIEXPORT jboolean JNICALL Java_io_tome4j_kernels_NativeCalls_hasAmxBf16(JNIEnv *env, jclass type) {
    (void) env, (void) type;
    return cpu_has_amx_bf16() ? JNI_TRUE : JNI_FALSE;
}

JNIEXPORT jlong JNICALL Java_io_tome4j_kernels_NativeCalls_address(JNIEnv *env, jclass type, jobject buffer) {
    (void) type;
    return (jlong) (intptr_t) (*env)->GetDirectBufferAddress(env, buffer);
}

JNIEXPORT jlong JNICALL Java_io_tome4j_kernels_NativeCalls_scratchBytes(
        JNIEnv *env, jclass type, jlong keys, jlong size) {
    (void) env, (void) type;
    return attention_scratch(keys, size);
}

JNIEXPORT void JNICALL Java_io_tome4j_kernels_NativeCalls_attend(
        JNIEnv *env, jclass type,
        jlong queries, jlong query_stride, jlong keys, jlong key_stride, jlong values, jlong value_stride,
        jlong mask, jlong mask_stride, jlong bias, jlong out, jlong out_stride,
        jlong rows, jlong count, jlong size, jfloat scale, jlong scratch) {
    (void) env, (void) type;
    attention_head head = {
        .queries = rows_at(queries, query_stride),
        .keys = rows_at(keys, key_stride),
        .values = rows_at(values, value_stride),
        .mask = rows_at(mask, mask_stride),
        .bias = address(bias),
        .out = address(out),
        .out_stride = out_stride,
        .rows = rows,
        .count = count,
        .size = size,
        .scale = scale,
        .scratch = address(scratch)
    };
    attention_avx512_bf16(&head);
}

JNIEXPORT jlong JNICALL Java_io_tome4j_kernels_NativeCalls_winogradWeightBytes(
        JNIEnv *env, jclass type, jlong in, jlong out) {
    (void) env, (void) type;
    return winograd_weight_bytes(in, out);
}

JNIEXPORT jlong JNICALL Java_io_tome4j_kernels_NativeCalls_winogradScratchBytes(JNIEnv *env, jclass type, jlong in) {
    (void) env, (void) type;
    return winograd_scratch(in);
}

JNIEXPORT jlong JNICALL Java_io_tome4j_kernels_NativeCalls_winogradTiles(
        JNIEnv *env, jclass type, jlong images, jlong height, jlong width) {
    (void) env, (void) type;
    return winograd_tiles(images, height, width);
}

JNIEXPORT jlong JNICALL Java_io_tome4j_kernels_NativeCalls_winogradGroups(JNIEnv *env, jclass type, jlong out) {
    (void) env, (void) type;
    return winograd_groups(out);
}

JNIEXPORT void JNICALL Java_io_tome4j_kernels_NativeCalls_winogradArrange(
        JNIEnv *env, jclass type, jlong weights, jlong in, jlong out, jlong from, jlong to, jlong arranged) {
    (void) env, (void) type;
    winograd_arrange(address(weights), in, out, from, to, address(arranged));
}

JNIEXPORT void JNICALL Java_io_tome4j_kernels_NativeCalls_winogradConvolve(
        JNIEnv *env, jclass type,
        jlong x, jlong weights, jlong bias, jlong result,
        jlong images, jlong height, jlong width, jlong in, jlong out,
        jlong first_tile, jlong end_tile, jlong first_group, jlong end_group, jlong scratch) {
    (void) env, (void) type;
    convolution c = {
        .x = address(x),
        .weights = address(weights),
        .bias = address(bias),
        .result = address(result),
        .images = images,
        .height = height,
        .width = width,
        .in = in,
        .out = out
    };
    winograd_avx512_bf16(&c, first_tile, end_tile, first_group, end_group, address(scratch));
}
